"""How the server puts requests together into batches."""

from hashnet_tf.export.image_batches import BATCH_SIZE

# The most images that one request may hold.
MOST_IMAGES = 1024
# More would wait for longer than a caller does.
ENQUEUED_BATCHES = 64

BATCHING_PARAMETERS = f"""\
# Images that one request may hold; it is refused if it holds more.
max_batch_size {{ value: {MOST_IMAGES} }}
# Images that the network sees at once: requests are put together, and large
# ones split, to batches of at most this size.
enable_large_batch_splitting {{ value: true }}
max_execution_batch_size {{ value: {BATCH_SIZE} }}
# How long a request waits for others, in microseconds.
batch_timeout_micros {{ value: 1000 }}
# Batches that may wait; beyond it a request is refused as UNAVAILABLE.
max_enqueued_batches {{ value: {ENQUEUED_BATCHES} }}
# Requests of one batch must hold images of one size. Padding them instead
# would change the pixels, and so the codes.
pad_variable_length_inputs: false
# Left to the server: num_batch_threads, which is then one a core, and
# allowed_batch_sizes, for the network takes a batch of any size.
"""
