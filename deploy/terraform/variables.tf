variable "project" {
  description = "The Google Cloud project: TARN_PROJECT."
  type        = string
}

variable "location" {
  description = "Where bucket and datasets lie: TARN_LOCATION."
  type        = string
  default     = "US"
}

variable "bucket" {
  description = "The lake's bucket, PROJECT-lake by default: TARN_BUCKET."
  type        = string
  default     = null
}

variable "lake_dataset" {
  description = "The dataset of the external tables: TARN_LAKE_DATASET."
  type        = string
  default     = "lake"
}

variable "marts_dataset" {
  description = "The dataset of dbt's marts: TARN_MARTS_DATASET."
  type        = string
  default     = "marts"
}

variable "dbt_schemas" {
  description = "What dbt's project appends to the marts' dataset for its other layers."
  type        = list(string)
  default     = ["intermediate", "seeds", "staging"]
}

variable "account" {
  description = "Name of the service account, before the @."
  type        = string
  default     = "tarn-lake"
}

variable "labels" {
  description = "Further labels of bucket and datasets: TARN_LABELS."
  type        = map(string)
  default     = {}
}

variable "log_days" {
  description = "Days after which Airflow's task logs are deleted from the bucket."
  type        = number
  default     = 90
}

variable "force_destroy" {
  description = "Whether terraform destroy may delete a bucket and datasets that are not empty."
  type        = bool
  default     = false
}
