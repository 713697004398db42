package hashnet.hamming;

/** For each new pixel of a line, the old ones and what they weigh. */
final class Taps {
    final int[] starts;
    final float[][] weights;

    /**
     * Of a line that is resized, and of which the centre is kept.
     *
     * @param size of the old line
     * @param newSize of the new one
     * @param kept how many pixels of the new one, its offset rounded down
     */
    Taps(int size, int newSize, int kept) {
        checkSides(size, newSize);
        starts = new int[kept];
        weights = new float[kept][];
        float scale = (float) newSize / size;
        float step = 1f / scale;
        float offset = (newSize - kept) / 2 * step;
        float radius = Math.max(step, 1f);
        float inverse = 1f / radius;
        for (int i = 0; i < kept; i++) {
            float center = (i + 0.5f) * step + offset;
            int first = (int) Math.ceil(center - radius - 0.5f);
            int last = (int) Math.floor(center + radius - 0.5f);
            first = Math.max(0, Math.min(size - 1, first));
            last = Math.max(0, Math.min(size - 1, last));
            starts[i] = first;
            weights[i] = triangle(first, last, center, inverse);
        }
    }

    /** Refuses a line of no pixels. */
    static void checkSides(int size, int newSize) {
        if (size < 1 || newSize < 1) {
            throw new IllegalArgumentException(
                    "The sides of an image must be positive. Received:"
                            + " from " + size + " to " + newSize);
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
