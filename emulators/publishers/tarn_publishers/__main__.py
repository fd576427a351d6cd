from tarn_publishers.cli import main

main()
