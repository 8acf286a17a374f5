#pragma once

namespace kappa::serve {

// Keeps the gRPC library up until the process ends; whoever makes a server or a channel calls it
// first. Shutting it down with the last of them joins a thread that, when a peer has just been slow
// to read, sleeps for up to ten seconds.
void keep_grpc_up();

}  // namespace kappa::serve
