"""The playground screen."""
