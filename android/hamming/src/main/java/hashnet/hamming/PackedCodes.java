package hashnet.hamming;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * The codes of a code set's {@code codes.npy}, in memory.
 *
 * <p>They lie in blocks, each of which is made as it is read, so that a
 * header which promises too much is found out before memory is.
 */
public final class PackedCodes {
    // Of 64 bits: 64 KiB.
    private static final int BLOCK = 8192;

    private final int bits;
    private final int size;
    private final int stride;
    private final long[][] blocks;

    private PackedCodes(int bits, int size) {
        this.bits = bits;
        this.size = size;
        this.stride = Words.count(Bits.width(bits));
        this.blocks = new long[size / BLOCK + 1][];
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
        if (header.rows > Integer.MAX_VALUE) {
            throw new IOException(
                    "A row must be an int. Received: rows=" + header.rows);
        }
        PackedCodes codes = new PackedCodes(bits, (int) header.rows);
        DataInputStream data = new DataInputStream(stream);
        for (int at = 0; at < codes.size - BLOCK; at += BLOCK) {
            codes.readBlock(data, at, BLOCK);
        }
        int last = (codes.size - 1) / BLOCK * BLOCK;
        codes.readBlock(data, last, codes.size - last);
        if (stream.read() != -1) {
            throw new IOException(
                    "A code file must end behind its " + codes.size
                            + " codes. Received: further bytes");
        }
        return codes;
    }

    private void readBlock(DataInputStream data, int at, int rows)
            throws IOException {
        int width = Bits.width(bits);
        int padding = Bits.paddingMask(bits);
        byte[] block = new byte[rows * width];
        try {
            data.readFully(block);
        } catch (EOFException e) {
            throw new IOException(
                    "The file must hold " + size + " codes of " + bits
                            + " bits. Received: a file that ends within the "
                            + rows + " codes from row " + at,
                    e);
        }
        long[] words = new long[rows * stride];
        for (int row = 0; row < rows; row++) {
            int from = row * width;
            if ((block[from + width - 1] & padding) != 0) {
                throw new IOException(
                        "Codes of " + bits + " bits must have zeros behind"
                                + " their last bit. Received: ones in row "
                                + (at + row));
            }
            Words.put(block, from, width, words, row * stride);
        }
        blocks[at / BLOCK] = words;
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
        long[] words = blocks[row / BLOCK];
        byte[] code = new byte[Bits.width(bits)];
        for (int i = 0; i < code.length; i++) {
            long word = words[row % BLOCK * stride + i / 8];
            code[i] = (byte) (word >>> (8 * (i % 8)));
        }
        return code;
    }

    /** In how many bits row {@code row} differs from a code in words. */
    int distance(int row, long[] query) {
        long[] words = blocks[row / BLOCK];
        int at = row % BLOCK * stride;
        int distance = 0;
        for (int i = 0; i < stride; i++) {
            distance += Long.bitCount(words[at + i] ^ query[i]);
        }
        return distance;
    }
}
