// Reads a view of a running `kappa serve`: java Query "SELECT …" [host:port]. See README.md beside
// this file for how to generate the stubs and run it.
import io.grpc.ManagedChannelBuilder;
import kappa.v1.QueryGrpc;
import kappa.v1.SqlRequest;

public class Query {
  public static void main(String[] args) {
    var address = args.length > 1 ? args[1] : "127.0.0.1:7070";
    var channel = ManagedChannelBuilder.forTarget(address).usePlaintext().build();
    var query = QueryGrpc.newBlockingStub(channel);
    query.sql(SqlRequest.newBuilder().setSql(args[0]).build()).forEachRemaining(answer -> {
      answer.getHeader().getColumnsList().forEach(column -> System.out.print(column.getName() + "\t"));
      answer.getRows().getRowsList().forEach(row -> System.out.print("\n" + row.getValuesList()));
    });
    channel.shutdown();
  }
}
