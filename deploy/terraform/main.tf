# The lake on Google Cloud: its bucket, its BigQuery datasets, the account that it works as, and the least roles for it.
# What each role is for: docs/gcp.md. Apply with
#   terraform init && terraform apply -var project=YOUR-PROJECT
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 5.0"
    }
  }
}

provider "google" {
  project = var.project
}

locals {
  bucket = coalesce(var.bucket, "${var.project}-lake")
  labels = merge({ managed-by = "tarn" }, var.labels)

  datasets = concat(
    [var.lake_dataset, var.marts_dataset],
    [for schema in var.dbt_schemas : "${var.marts_dataset}_${schema}"],
  )

  apis = [
    "bigquery.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
  ]
  project_roles = ["roles/bigquery.jobUser", "roles/serviceusage.serviceUsageViewer"]
  bucket_roles  = ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]
  dataset_roles = ["roles/bigquery.dataEditor"]
}

resource "google_project_service" "api" {
  for_each           = toset(local.apis)
  service            = each.value
  disable_on_destroy = false
}

resource "google_service_account" "lake" {
  account_id   = var.account
  display_name = "Tarn, the data lake"
}

resource "google_storage_bucket" "lake" {
  name                        = local.bucket
  location                    = var.location
  labels                      = local.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  lifecycle_rule {
    condition {
      age            = var.log_days
      matches_prefix = ["logs/"]
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_bigquery_dataset" "lake" {
  for_each                   = toset(local.datasets)
  dataset_id                 = each.value
  location                   = var.location
  labels                     = local.labels
  delete_contents_on_destroy = var.force_destroy

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "lake" {
  for_each = toset(local.project_roles)
  project  = var.project
  role     = each.value
  member   = google_service_account.lake.member
}

resource "google_storage_bucket_iam_member" "lake" {
  for_each = toset(local.bucket_roles)
  bucket   = google_storage_bucket.lake.name
  role     = each.value
  member   = google_service_account.lake.member
}

resource "google_bigquery_dataset_iam_member" "lake" {
  for_each = {
    for pair in setproduct(local.datasets, local.dataset_roles) : "${pair[0]} ${pair[1]}" => pair
  }
  dataset_id = google_bigquery_dataset.lake[each.value[0]].dataset_id
  role       = each.value[1]
  member     = google_service_account.lake.member
}
