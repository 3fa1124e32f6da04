import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Answers, line by line, what java.util.regex makes of a pattern, a text and a replacement; each field is hexadecimal UTF-16. */
public class JavaRegexOracle {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] fields = line.split(",", -1);
            out.println(answer(text(fields[0]), text(fields[1]), text(fields[2])));
        }
        out.flush();
    }

    private static String answer(String pattern, String text, String replacement) {
        Pattern compiled;
        try {
            compiled = Pattern.compile(pattern);
        } catch (PatternSyntaxException error) {
            return "E" + hex(error.getMessage().split("\\R", 2)[0]);
        }
        try {
            StringBuilder answer = new StringBuilder("M");
            Matcher whole = compiled.matcher(text);
            answer.append(whole.matches() ? groups(whole) : "-").append(';');
            Matcher part = compiled.matcher(text);
            answer.append(part.find() ? part.start() + "." + part.end() + ":" + groups(part) : "-").append(';');
            return answer.append(replaced(compiled, text, replacement)).toString();
        } catch (StackOverflowError error) {
            return "S";
        }
    }

    private static String replaced(Pattern pattern, String text, String replacement) {
        try {
            return hex(pattern.matcher(text).replaceFirst(replacement));
        } catch (IllegalArgumentException | IndexOutOfBoundsException error) {
            return "!" + error.getClass().getName() + " " + error.getMessage();
        }
    }

    private static String groups(Matcher matcher) {
        StringBuilder groups = new StringBuilder();
        for (int group = 0; group <= matcher.groupCount(); group++) {
            if (group > 0) groups.append('|');
            String value = matcher.group(group);
            groups.append(value == null ? "~" : hex(value));
        }
        return groups.toString();
    }

    private static String text(String hex) {
        StringBuilder text = new StringBuilder();
        for (int index = 0; index < hex.length(); index += 4) text.append((char) Integer.parseInt(hex.substring(index, index + 4), 16));
        return text.toString();
    }

    private static String hex(String text) {
        StringBuilder hex = new StringBuilder();
        for (char unit : text.toCharArray()) hex.append(String.format("%04x", (int) unit));
        return hex.toString();
    }
}
