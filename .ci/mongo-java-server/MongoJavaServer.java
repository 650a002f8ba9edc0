import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.h2.mvstore.MVStore;

/** `mongo-java-server HOST:PORT FOLDER` prints "listening on mongodb://HOST:PORT/" as soon as it accepts connections. FOLDER keeps the data. */
public class MongoJavaServer {
    public static void main(String[] args) throws Exception {
        int colon = args[0].lastIndexOf(':');
        Path folder = Path.of(args[1]).toAbsolutePath();
        Files.createDirectories(folder);
        MVStore store = new MVStore.Builder().fileName(folder + "/mongo.mv").open();
        // The store writes a chunk for each command. Otherwise the file keeps all those of the last 45 seconds.
        store.setRetentionTime(0);
        FailCommand failCommand = new FailCommand();
        H2Backend backend = new H2Backend(store) {
            /** With `ismaster`, drivers see whether the server is there. The answer must not wait for the commands of others. */
            @Override
            public Document handleMessage(MongoMessage message) {
                String name = message.getDocument().keySet().iterator().next();
                return name.equalsIgnoreCase("ismaster") ? super.handleMessage(message) : handleCommand(message);
            }

            /**
             * One command after another, and each answer is a copy: in MongoDB a document is read and written as a whole, but this server encodes
             * an answer while another command changes the document in it. It also fails when two commands create a collection at once.
             */
            private synchronized Document handleCommand(MongoMessage message) {
                try {
                    return failCommand.handle(message, () -> super.handleMessage(message)).cloneDeeply();
                } finally {
                    // An answered write survives kill -9. By itself the store writes once a second.
                    if (store.hasUnsavedChanges()) store.commit();
                }
            }
        };
        // By itself it announces wire version 8, which the driver refuses. 13 is MongoDB 5.0's.
        backend.version(new MongoVersion() {
            @Override
            public List<Integer> getVersionArray() {
                return List.of(5, 0, 0);
            }

            @Override
            public int getWireVersion() {
                return 13;
            }
        });
        MongoServer server = new MongoServer(backend);
        server.bind(args[0].substring(0, colon), Integer.parseInt(args[0].substring(colon + 1)));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        System.out.println("listening on mongodb://" + args[0] + "/");
    }
}
