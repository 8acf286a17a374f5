// Reads a view of a running `kappa serve`: Query "SELECT …" [host:port]. pom.xml generates the stubs
// and runs it.
import io.grpc.ManagedChannelBuilder;
import kappa.v1.QueryGrpc;
import kappa.v1.SqlRequest;

public class Query {
  public static void main(String[] args) {
    var address = args.length > 1 ? args[1] : "127.0.0.1:7070";
    var channel = ManagedChannelBuilder.forTarget(address).usePlaintext().build();
    var request = SqlRequest.newBuilder().setSql(args[0]).build();
    QueryGrpc.newBlockingStub(channel).sql(request).forEachRemaining(answer -> {
      answer.getHeader().getColumnsList().forEach(column -> System.out.print(column.getName() + "\t"));
      for (var row : answer.getRows().getRowsList()) {
        System.out.println();
        for (var value : row.getValuesList())
          System.out.print(value.getAllFields().values().stream().findFirst().orElse("NULL") + "\t");
      }
    });
    System.out.println();
    channel.shutdown();
  }
}
