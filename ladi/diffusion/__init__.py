"""The method: from prepared tensors to a generated picture."""
