package hashnet.hamming;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/** The codes of a code set's {@code codes.npy}, in memory. */
public final class PackedCodes {
    // Of the file at a time: codes of 64 bits in 64 KiB.
    private static final int BLOCK = 8192;

    private final int bits;
    private final int size;
    private final int stride;
    private final long[] words;

    private PackedCodes(int bits, int size) {
        this.bits = bits;
        this.size = size;
        this.stride = Words.count(Bits.width(bits));
        this.words = new long[size * stride];
    }

    /**
     * Reads the codes of a numpy file, uint8 {@code [n, ceil(K / 8)]}.
     *
     * @param stream the file from its beginning; read to its end, not closed
     * @param bits length K of the codes, as the manifest beside the file tells
     * @return the codes, of which row i is that of the i-th id
     * @throws IOException if the file is damaged, holds something else or
     *     codes of another length
     * @throws IllegalArgumentException if {@code bits} is below 1
     */
    public static PackedCodes read(InputStream stream, int bits)
            throws IOException {
        int width = Bits.width(bits);
        NpyHeader header = NpyHeader.read(stream);
        if (header.width != width) {
            throw new IOException(
                    "Codes of " + bits + " bits must be " + width
                            + " bytes wide. Received: width=" + header.width);
        }
        if (header.rows * Words.count(width) > Integer.MAX_VALUE - 8) {
            throw new IOException(
                    "The codes must fit into one array. Received: "
                            + header.rows + " codes of " + bits + " bits");
        }
        PackedCodes codes = new PackedCodes(bits, (int) header.rows);
        codes.fill(new DataInputStream(stream));
        if (stream.read() != -1) {
            throw new IOException(
                    "A code file must end behind its " + codes.size
                            + " codes. Received: further bytes");
        }
        return codes;
    }

    private void fill(DataInputStream data) throws IOException {
        int width = Bits.width(bits);
        int padding = Bits.paddingMask(bits);
        byte[] block = new byte[Math.min(BLOCK, size) * width];
        for (int row = 0; row < size; row++) {
            int from = row % BLOCK * width;
            if (from == 0) {
                readBlock(data, block, Math.min(BLOCK, size - row), row);
            }
            if ((block[from + width - 1] & padding) != 0) {
                throw new IOException(
                        "Codes of " + bits + " bits must have zeros behind"
                                + " their last bit. Received: ones in row "
                                + row);
            }
            Words.put(block, from, width, words, row * stride);
        }
    }

    private void readBlock(DataInputStream data, byte[] block, int rows, int at)
            throws IOException {
        try {
            data.readFully(block, 0, rows * Bits.width(bits));
        } catch (EOFException e) {
            throw new IOException(
                    "The file must hold " + size + " codes of " + bits
                            + " bits. Received: a file that ends within the "
                            + rows + " codes from row " + at,
                    e);
        }
    }

    /** Returns K, the length of the codes. */
    public int bits() {
        return bits;
    }

    /** Returns n, the number of codes. */
    public int size() {
        return size;
    }

    /**
     * Returns one code, packed.
     *
     * @param row from 0 to n - 1
     * @return ceil(K / 8) bytes
     */
    public byte[] code(int row) {
        byte[] code = new byte[Bits.width(bits)];
        for (int i = 0; i < code.length; i++) {
            long word = words[row * stride + i / 8];
            code[i] = (byte) (word >>> (8 * (i % 8)));
        }
        return code;
    }

    /** In how many bits row {@code row} differs from a code in words. */
    int distance(int row, long[] query) {
        int distance = 0;
        for (int i = 0, at = row * stride; i < stride; i++) {
            distance += Long.bitCount(words[at + i] ^ query[i]);
        }
        return distance;
    }
}
