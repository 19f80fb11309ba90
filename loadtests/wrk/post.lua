-- Sends contents of 40,000 bytes, so that each connection has buffers of several sizes at once.
wrk.method = "POST"
wrk.body = string.rep("x", 40000)
