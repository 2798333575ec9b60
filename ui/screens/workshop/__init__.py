"""The authoring screen."""
