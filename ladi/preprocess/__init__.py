"""From a photograph to the network and back; tensors begin where this folder ends."""
