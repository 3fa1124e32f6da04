import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.Locale;
import java.util.TimeZone;

/** Answers, line by line, what java.text.SimpleDateFormat makes of `format⇥pattern⇥milliseconds` and of `parse⇥pattern⇥text`. */
public class SimpleDateFormatOracle {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] fields = line.split("\t", -1);
            out.println(answer(fields[0], fields[1], fields[2]));
        }
        out.flush();
    }

    private static String answer(String operation, String pattern, String text) {
        try {
            SimpleDateFormat format = new SimpleDateFormat(pattern, Locale.US);
            format.setTimeZone(TimeZone.getTimeZone("UTC"));
            if (operation.equals("format")) return format.format(new Date(Long.parseLong(text)));
            return String.valueOf(format.parse(text).getTime());
        } catch (ParseException error) {
            return "undefined";
        } catch (IllegalArgumentException error) {
            return "refused: " + error.getMessage();
        }
    }
}
