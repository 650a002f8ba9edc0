import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/**
 * MongoDB's fail point `failCommand`, with which drivers test their errors. It makes the next commands of some names fail:
 *
 * { configureFailPoint: 'failCommand', mode: { times: 1 }, data: { failCommands: ['update'], errorCode: 10107 } }
 *
 * `errorCode` answers an error and `closeConnection` closes the connection, both without carrying out the command. `writeConcernError`
 * carries it out and adds that error to the answer. `mode: 'off'` ends it.
 */
class FailCommand {
    private int times = 0;
    private Document data = new Document();

    Document handle(MongoMessage message, Supplier<Document> command) {
        Document request = message.getDocument();
        String name = request.keySet().iterator().next();
        if (name.equals("configureFailPoint")) return configure(request);
        Document failure = take(name);
        if (failure.containsKey("closeConnection")) {
            message.getChannel().close();
        } else if (failure.containsKey("errorCode")) {
            return new Document("ok", 0.0)
                .append("code", failure.get("errorCode"))
                .append("codeName", "FailPoint")
                .append("errmsg", "failing command via failCommand");
        }
        Document answer = failure.containsKey("closeConnection") ? new Document("ok", 1.0) : command.get();
        if (failure.containsKey("writeConcernError")) answer.append("writeConcernError", failure.get("writeConcernError"));
        return answer;
    }

    private Document configure(Document request) {
        times = request.get("mode") instanceof Document mode ? ((Number) mode.get("times")).intValue() : 0;
        data = request.get("data") instanceof Document given ? given : new Document();
        return new Document("ok", 1.0);
    }

    /** The failure of a command. Empty: it does not fail. */
    private Document take(String name) {
        if (times == 0 || !((Collection<?>) data.getOrDefault("failCommands", List.of())).contains(name)) return new Document();
        times--;
        return data;
    }
}
