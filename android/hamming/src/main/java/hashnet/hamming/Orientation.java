package hashnet.hamming;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Which way up a photograph is, by its EXIF tag, and its rows turned so. */
public final class Orientation {
    /** Nothing is to be done. */
    public static final int UPRIGHT = 1;

    private static final int TAG = 0x0112;
    private static final int SHORT = 3;
    private static final int LONG = 4;
    private static final int ENTRY = 12;
    private static final int WITH_EXIF = 0x08;
    private static final String WORD = "Exif\0\0";

    private Orientation() {}

    /** An image of which rows and columns are read, as an Android bitmap. */
    public interface Pixels {
        /** Fills `argb` with a part of one row or one column. */
        void read(int x, int y, int width, int height, int[] argb);
    }

    /**
     * Reads the tag, as training and the server do.
     *
     * @param file bytes of a JPEG, PNG or WebP
     * @return 1 to 8; 1 where there is no tag, it is damaged, or the file is
     *     another
     */
    public static int of(byte[] file) {
        if (starts(file, 0, "\u00ff\u00d8\u00ff")) {
            return ofJpeg(file);
        }
        if (starts(file, 0, "\u0089PNG\r\n\u001a\n")) {
            return ofPng(file);
        }
        if (starts(file, 0, "RIFF") && starts(file, 8, "WEBPVP8X")) {
            return ofWebp(file);
        }
        return UPRIGHT;
    }

    /** Tells whether rows become columns, so that the sides change places. */
    public static boolean swapsSides(int orientation) {
        return orientation >= 5;
    }

    /**
     * Reads a row of the upright image.
     *
     * @param stored the image as the file holds it
     * @param height of the upright image
     * @param width of the upright image
     * @param orientation from 1 to 8
     * @param y from 0 at the top of the upright image
     * @param argb filled with `width` pixels
     */
    public static void readRow(
            Pixels stored,
            int height,
            int width,
            int orientation,
            int y,
            int[] argb) {
        boolean upsideDown = "3478".indexOf('0' + orientation) >= 0;
        boolean mirrored = "2367".indexOf('0' + orientation) >= 0;
        int line = upsideDown ? height - 1 - y : y;
        if (swapsSides(orientation)) {
            stored.read(line, 0, 1, width, argb);
        } else {
            stored.read(0, line, width, 1, argb);
        }
        for (int i = 0, j = width - 1; mirrored && i < j; i++, j--) {
            int left = argb[i];
            argb[i] = argb[j];
            argb[j] = left;
        }
    }

    private static int ofJpeg(byte[] file) {
        long at = 2;
        while (at < file.length && number(file, at, 1, true) == 0xff) {
            long marker = number(file, at + 1, 1, true);
            if (marker == 0xff) {
                // Any number of bytes of 255 may stand before a marker.
                at++;
                continue;
            }
            long length = number(file, at + 2, 2, true);
            if (marker == 0xe1 && starts(file, at + 4, WORD)) {
                return ofExif(file, at + 4, at + 2 + length);
            }
            boolean alone = marker < 2 || marker >= 0xd0 && marker <= 0xda;
            if (alone || length < 2) {
                break;
            }
            at += 2 + length;
        }
        return UPRIGHT;
    }

    private static int ofPng(byte[] file) {
        for (long at = 8; at < file.length && !starts(file, at + 4, "IEND"); ) {
            long end = at + 8 + number(file, at, 4, true);
            if (starts(file, at + 4, "eXIf")) {
                return ofExif(file, at + 8, end);
            }
            at = end + 4;
        }
        return UPRIGHT;
    }

    private static int ofWebp(byte[] file) {
        if ((number(file, 20, 1, true) & WITH_EXIF) == 0) {
            return UPRIGHT;
        }
        for (long at = 12; at < file.length; ) {
            long length = number(file, at + 4, 4, false);
            if (starts(file, at, "EXIF")) {
                return ofExif(file, at + 8, at + 8 + length);
            }
            at += 8 + length + length % 2;
        }
        return UPRIGHT;
    }

    /** Reads what begins as a TIFF does, and nothing from `end` on. */
    private static int ofExif(byte[] file, long at, long end) {
        int from = (int) Math.min(at, file.length);
        int to = (int) Math.min(Math.max(end, from), file.length);
        byte[] tiff = Arrays.copyOfRange(file, from, to);
        int head = starts(tiff, 0, WORD) ? WORD.length() : 0;
        tiff = Arrays.copyOfRange(tiff, head, tiff.length);
        boolean big = starts(tiff, 0, "MM\0*");
        if (!big && !starts(tiff, 0, "II*\0")) {
            return UPRIGHT;
        }
        long start = number(tiff, 4, 4, big);
        long count = number(tiff, start, 2, big);
        long value = UPRIGHT;
        for (long i = 0; i < count; i++) {
            long entry = start + 2 + i * ENTRY;
            if (entry + ENTRY > tiff.length) {
                break;
            }
            long kind = number(tiff, entry + 2, 2, big);
            if (number(tiff, entry, 2, big) == TAG
                    && (kind == SHORT || kind == LONG)
                    && number(tiff, entry + 4, 4, big) == 1) {
                int size = kind == SHORT ? 2 : 4;
                value = number(tiff, entry + 8, size, big);
            }
        }
        return value >= 1 && value <= 8 ? (int) value : UPRIGHT;
    }

    /** Returns the number of some bytes, and of zeros behind the end. */
    private static long number(byte[] file, long at, int size, boolean big) {
        long number = 0;
        for (int i = 0; i < size; i++) {
            long place = big ? at + i : at + size - 1 - i;
            int digit = place < file.length ? file[(int) place] & 0xff : 0;
            number = number << 8 | digit;
        }
        return number;
    }

    private static boolean starts(byte[] file, long at, String word) {
        byte[] bytes = word.getBytes(StandardCharsets.ISO_8859_1);
        if (at + bytes.length > file.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (file[(int) at + i] != bytes[i]) {
                return false;
            }
        }
        return true;
    }
}
