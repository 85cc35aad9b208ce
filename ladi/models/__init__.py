"""The networks. Module paths are recorded in saved pipelines, so the names in this folder are permanent."""
