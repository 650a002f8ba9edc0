import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Carries out the first command that creates a collection alone: mongo-java-server fails when two of them create one at once. */
class NewCollections {
    private static final Set<String> CREATING = Set.of("insert", "update", "createIndexes");
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    Document handle(MongoMessage message, Supplier<Document> command) {
        Document request = message.getDocument();
        String name = request.keySet().iterator().next();
        String collection = message.getDatabaseName() + "." + request.get(name);
        if (!CREATING.contains(name) || known.contains(collection)) return command.get();
        synchronized (this) {
            Document answer = command.get();
            known.add(collection);
            return answer;
        }
    }
}
