"""APIs: asking for answers at the pace that a publisher allows, page by page, and finding the records in them."""
