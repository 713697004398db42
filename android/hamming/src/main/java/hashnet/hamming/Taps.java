package hashnet.hamming;

/** For each new pixel of a line, the old ones and what they weigh. */
final class Taps {
    final int[] starts;
    final float[][] weights;

    Taps(int size, int newSize) {
        if (size < 1 || newSize < 1) {
            throw new IllegalArgumentException(
                    "The sides of an image must be positive. Received:"
                            + " from " + size + " to " + newSize);
        }
        starts = new int[newSize];
        weights = new float[newSize][];
        float scale = (float) newSize / size;
        float step = 1f / scale;
        float radius = Math.max(step, 1f);
        float inverse = 1f / radius;
        for (int i = 0; i < newSize; i++) {
            float center = (i + 0.5f) * step;
            int first = (int) Math.ceil(center - radius - 0.5f);
            int last = (int) Math.floor(center + radius - 0.5f);
            first = Math.max(0, Math.min(size - 1, first));
            last = Math.max(0, Math.min(size - 1, last));
            starts[i] = first;
            weights[i] = triangle(first, last, center, inverse);
        }
    }

    private static float[] triangle(
            int first, int last, float center, float inverse) {
        float[] weights = new float[last - first + 1];
        float sum = 0f;
        for (int i = 0; i < weights.length; i++) {
            float offset = first + i + 0.5f - center;
            float distance = Math.abs(offset * inverse);
            weights[i] = distance < 1f ? 1f - distance : 0f;
            sum += weights[i];
        }
        float normalizer = 1f / sum;
        for (int i = 0; i < weights.length; i++) {
            weights[i] *= normalizer;
        }
        return weights;
    }
}
