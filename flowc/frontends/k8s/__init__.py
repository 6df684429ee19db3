"""The k8s frontend: Kubernetes manifests as the API server reads them."""
