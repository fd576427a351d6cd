output "environment" {
  description = "The settings that lead Tarn to this lake."
  value = {
    TARN_TARGET        = "gcp"
    TARN_PROJECT       = var.project
    TARN_BUCKET        = google_storage_bucket.lake.name
    TARN_LOCATION      = var.location
    TARN_LAKE_DATASET  = var.lake_dataset
    TARN_MARTS_DATASET = var.marts_dataset
    TARN_LABELS        = join(",", [for key, value in var.labels : "${key}=${value}"])
  }
}

output "account" {
  description = "The account that the lake works as; make a key for it, or let a workload use it."
  value       = google_service_account.lake.email
}
