"""Request and response schemas of OpenAI's chat completions."""
