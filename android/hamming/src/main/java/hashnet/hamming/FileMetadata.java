package hashnet.hamming;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What a LiteRT file says of itself, which LiteRT's interpreter does not tell.
 *
 * <p>Such a file is a FlatBuffer (https://flatbuffers.dev/internals) of
 * LiteRT's schema. A table's fields are found by the list of their offsets,
 * and what is of any length by an offset from where it is told.
 */
public final class FileMetadata {
    private static final String IDENTIFIER = "TFL3";
    // Fields by their place in the schema: of the table Model,
    private static final int MODEL_BUFFERS = 4;
    private static final int MODEL_METADATA = 6;
    // of Metadata,
    private static final int METADATA_NAME = 0;
    private static final int METADATA_BUFFER = 1;
    // and of Buffer.
    private static final int BUFFER_DATA = 0;

    private final ByteBuffer file;

    private FileMetadata(ByteBuffer file) {
        this.file = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads the entry of a name.
     *
     * @param file a LiteRT file from the buffer's first byte; left as it is
     * @param name of the entry, such as "hashnet.json"
     * @return its text, or null if there is none of this name
     * @throws IllegalArgumentException if the file is damaged or another
     */
    public static String read(ByteBuffer file, String name) {
        try {
            return new FileMetadata(file).entry(name);
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException(
                    "A LiteRT file must be whole. Received: " + file.limit()
                            + " bytes, which tell of others",
                    e);
        }
    }

    private String entry(String name) {
        String identifier = text(4, IDENTIFIER.length());
        if (!identifier.equals(IDENTIFIER)) {
            throw new IllegalArgumentException(
                    "A LiteRT file must have " + IDENTIFIER + " in its head."
                            + " Received: another file");
        }
        int model = follow(0);
        int entries = vector(model, MODEL_METADATA);
        for (int i = 0; i < count(entries); i++) {
            int entry = table(entries, i);
            int told = vector(entry, METADATA_NAME);
            if (text(told + 4, count(told)).equals(name)) {
                int place = field(entry, METADATA_BUFFER);
                // A number that is zero is left out.
                int number = place == 0 ? 0 : file.getInt(place);
                int buffer = table(vector(model, MODEL_BUFFERS), number);
                int data = vector(buffer, BUFFER_DATA);
                return text(data + 4, count(data));
            }
        }
        return null;
    }

    /** Where the field of a table stands, 0 where it is left out. */
    private int field(int table, int number) {
        int offsets = table - file.getInt(table);
        int at = 4 + 2 * number;
        int size = file.getShort(offsets) & 0xffff;
        int offset = at < size ? file.getShort(offsets + at) & 0xffff : 0;
        return offset == 0 ? 0 : table + offset;
    }

    /** Where a vector, or a string, begins with its count; 0 for an empty. */
    private int vector(int table, int number) {
        int place = field(table, number);
        return place == 0 ? 0 : follow(place);
    }

    private int count(int vector) {
        return vector == 0 ? 0 : file.getInt(vector);
    }

    private int table(int vector, int number) {
        if (number < 0 || number >= count(vector)) {
            throw new IndexOutOfBoundsException();
        }
        return follow(vector + 4 + 4 * number);
    }

    private int follow(int place) {
        return place + file.getInt(place);
    }

    private String text(int at, int length) {
        // Before memory is taken for it.
        if (at < 0 || length < 0 || length > file.limit() - at) {
            throw new IndexOutOfBoundsException();
        }
        byte[] bytes = new byte[length];
        ((ByteBuffer) file.position(at)).get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
