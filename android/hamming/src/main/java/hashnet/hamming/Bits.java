package hashnet.hamming;

/** Packed codes and their bits: the first bit in the highest place. */
public final class Bits {
    private Bits() {}

    /**
     * Returns how many bytes a code takes.
     *
     * @param bits length K of the code, at least 1
     * @return ceil(K / 8)
     * @throws IllegalArgumentException if {@code bits} is below 1
     */
    public static int width(int bits) {
        if (bits < 1) {
            throw new IllegalArgumentException(
                    "`bits` must be positive. Received: bits=" + bits);
        }
        return (bits - 1) / 8 + 1;
    }

    /**
     * Turns a packed code into signs.
     *
     * @param code ceil(K / 8) bytes
     * @param bits length K of the code, at least 1
     * @return K signs, +1 for a one and -1 for a zero
     * @throws IllegalArgumentException as {@link #check}
     */
    public static byte[] unpack(byte[] code, int bits) {
        check(code, bits);
        byte[] signs = new byte[bits];
        for (int k = 0; k < bits; k++) {
            boolean one = (code[k / 8] >> (7 - k % 8) & 1) == 1;
            signs[k] = (byte) (one ? 1 : -1);
        }
        return signs;
    }

    /**
     * Checks that a code has {@code bits} bits.
     *
     * @param code ceil(K / 8) bytes
     * @param bits length K, at least 1
     * @throws IllegalArgumentException if the code has another width, or ones
     *     behind its last bit
     */
    public static void check(byte[] code, int bits) {
        if (code.length != width(bits)) {
            throw new IllegalArgumentException(
                    "A code of " + bits + " bits must be " + width(bits)
                            + " bytes wide. Received: code.length="
                            + code.length);
        }
        if ((code[code.length - 1] & paddingMask(bits)) != 0) {
            throw new IllegalArgumentException(
                    "A code of " + bits + " bits must have zeros behind its"
                            + " last bit. Received: last byte="
                            + (code[code.length - 1] & 0xff));
        }
    }

    /** The places of a code's last byte that hold no bit. */
    static int paddingMask(int bits) {
        return (1 << (8 * width(bits) - bits)) - 1;
    }
}
