"""Models loaded, on a device, with what stands around them."""
