"""Published weights: where they come from, how they are read strictly, and how they become one model folder.

``table.py`` lists every file, ``fetch.py`` and ``hub.py`` bring them, ``digests.py`` remembers what came,
``networks.py`` and ``reading.py`` compare them with the networks, ``convert.py`` writes the model folder and
``check.py`` looks one over; ``catalog.py`` knows which models there are. The package paints nothing: a model
is loaded by ``ladi/runtime/loading.py``.
"""
