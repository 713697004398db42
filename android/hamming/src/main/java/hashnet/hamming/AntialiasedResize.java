package hashnet.hamming;

import java.util.Arrays;

/**
 * The resizing that the encoder was trained with, pixel for pixel: bilinear
 * with antialiasing, as tf.image.resize(antialias=True), rounded to bytes.
 *
 * <p>It follows TensorFlow's float32 arithmetic step by step, rows first, so
 * that no pixel lands on the other side of a half. Android's own scaling does
 * not antialias, and so gives other codes.
 */
final class AntialiasedResize {
    private static final int CHANNELS = 3;

    private AntialiasedResize() {}

    /**
     * Resizes an image without regard to its aspect ratio.
     *
     * @param image the pixels, whose alpha is not regarded
     * @param width of {@code image}
     * @param down of its height
     * @param across of its width
     * @return height * width * 3 bytes of the new image: row after row, red,
     *     green, blue
     */
    static byte[] resize(PixelRows image, int width, Taps down, Taps across) {
        int newHeight = down.starts.length;
        int newWidth = across.starts.length;
        byte[] bytes = new byte[newHeight * newWidth * CHANNELS];
        int[] pixels = new int[width];
        float[] row = new float[width * CHANNELS];
        for (int y = 0; y < newHeight; y++) {
            Arrays.fill(row, 0f);
            for (int i = 0; i < down.weights[y].length; i++) {
                image.read(down.starts[y] + i, pixels);
                addScaled(pixels, down.weights[y][i], row);
            }
            for (int x = 0; x < newWidth; x++) {
                for (int channel = 0; channel < CHANNELS; channel++) {
                    float sum = 0f;
                    int at = across.starts[x] * CHANNELS + channel;
                    for (float weight : across.weights[x]) {
                        sum += weight * row[at];
                        at += CHANNELS;
                    }
                    int place = (y * newWidth + x) * CHANNELS + channel;
                    bytes[place] = toByte(sum);
                }
            }
        }
        return bytes;
    }

    private static void addScaled(int[] pixels, float weight, float[] row) {
        for (int x = 0, at = 0; x < pixels.length; x++) {
            int pixel = pixels[x];
            row[at++] += weight * (pixel >> 16 & 0xff);
            row[at++] += weight * (pixel >> 8 & 0xff);
            row[at++] += weight * (pixel & 0xff);
        }
    }

    private static byte toByte(float value) {
        // A half goes to the even neighbour, as in TensorFlow.
        double rounded = Math.rint(value);
        return (byte) (int) Math.max(0.0, Math.min(255.0, rounded));
    }
}
