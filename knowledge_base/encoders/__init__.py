"""Sentence encoders: torch, ONNX int8, and the models that come inside packages."""
