package hashnet.hamming;

import java.util.Arrays;

/**
 * Which part of a picture a network sees: what {@code hashnet_tf} shows it,
 * pixel for pixel.
 */
public enum Framing {
    /** All of it, warped to the size. */
    WHOLE("whole"),
    /** Warped to 8 / 7 of the size, of which the centre. */
    PAPER("paper"),
    /** The short side resized to 8 / 7 of the size, of which the centre. */
    MODERN("modern");

    private final String word;

    Framing(String word) {
        this.word = word;
    }

    /**
     * Finds a framing by its name.
     *
     * @param name as an exported file tells it, such as "whole"
     * @throws IllegalArgumentException if there is none of this name
     */
    public static Framing of(String name) {
        for (Framing framing : values()) {
            if (framing.word.equals(name)) {
                return framing;
            }
        }
        throw new IllegalArgumentException(
                "`framing` must be one of " + Arrays.toString(values())
                        + ". Received: framing=" + name);
    }

    /**
     * Frames a picture.
     *
     * <p>No pixel outside of the crop is made, of which one that is long and
     * thin would have billions.
     *
     * @param picture the pixels, whose alpha is not regarded
     * @param height of {@code picture}
     * @param width of {@code picture}
     * @param newHeight of the network, at least 1
     * @param newWidth of the network, at least 1
     * @return newHeight * newWidth * 3 bytes: row after row, red, green, blue
     * @throws IllegalArgumentException if a side is below 1
     */
    public byte[] frame(
            PixelRows picture,
            int height,
            int width,
            int newHeight,
            int newWidth) {
        Taps.checkSides(height, newHeight);
        Taps.checkSides(width, newWidth);
        long high = this == WHOLE ? newHeight : uncropped(newHeight);
        long wide = this == WHOLE ? newWidth : uncropped(newWidth);
        if (this == MODERN) {
            // The short side covers; the long one is rounded down.
            if (width * high >= height * wide) {
                wide = width * high / height;
            } else {
                high = height * wide / width;
            }
        }
        return AntialiasedResize.resize(
                picture,
                width,
                new Taps(height, Math.toIntExact(high), newHeight),
                new Taps(width, Math.toIntExact(wide), newWidth));
    }

    /** The name, as an exported file tells it. */
    @Override
    public String toString() {
        return word;
    }

    /** The side from which a crop of {@code side} is taken. */
    private static long uncropped(int side) {
        // The paper's network takes 227 of 256 pixels. That of no side lies
        // halfway between two numbers.
        return side == 227 ? 256 : (16L * side + 7) / 14;
    }
}
