"""The screens: they speak HTTP only, which shows that the API is enough."""
