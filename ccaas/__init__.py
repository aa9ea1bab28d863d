"""ccaas: a contact centre in which the network and the AI are one stack."""

import os

__version__ = "0.1.0"

# Nothing leaves the machine: onnxruntime, and whatever process of ours imports it, may not even make itself an id.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
