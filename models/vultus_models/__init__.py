"""Builds model packs for vultus: fetches pinned packages, checks every hash, converts the weights
to ONNX and writes the pack folder.
"""
