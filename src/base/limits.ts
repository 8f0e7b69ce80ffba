/** Every limit of the server, by name, with the reason for its size. Sizes in bytes, times in ms. */
export const limits = {
  /** One ledger entry. C2SP tlog-tiles prefixes entries with 16 bits. */
  entryBytesMax: 65_535,
  /** Messages that share one ledger entry: a whole request of predictions, and 14 hashes to prove one. */
  messagesPerEntryMax: 10_000,
  /** Messages waiting for the writer. Beyond it the door answers `overloaded` instead of growing. */
  queueMessagesMax: 20_000,
  /** Messages of one transaction: bounds the time that one commit holds the writer. */
  batchMessagesMax: 2_000,
  /** Bytes of messages of one transaction, for the same reason. */
  batchBytesMax: 16 * 1024 * 1024,

  /** OpenLineage bodies: Spark sends logical plans of several MB. Inflated size counts. */
  openLineageBodyBytesMax: 16 * 1024 * 1024,
  /** Events of one OpenLineage batch request. */
  openLineageBatchEventsMax: 1_000,
  /** One facet kept as an attribute; larger ones stay in the payload only, and say so. */
  attributeBytesMax: 32 * 1024,
  /** Column edges that one event may state. */
  columnEdgesPerEventMax: 20_000,
  /** Depth of nested fields of a schema facet. */
  schemaDepthMax: 32,

  /** MLflow JSON bodies: log-batch is at most 1e6 bytes, profiles of datasets up to 16 MiB. */
  mlflowBodyBytesMax: 24 * 1024 * 1024,
  /** One artifact uploaded through the proxy; it is streamed to disk, never held in memory. */
  artifactBytesMax: 64 * 1024 * 1024 * 1024,
  /** MLmodel, conda.yaml and requirements.txt are read into the payload up to this size. */
  modelFileBytesMax: 1024 * 1024,

  /** Predictions of one request. */
  predictionsPerRequestMax: 10_000,
  predictionsBodyBytesMax: 64 * 1024 * 1024,
  /** One prediction, canonical. */
  predictionBytesMax: 256 * 1024,
  /** Outcomes, deployments and statements of one request. */
  recordsPerRequestMax: 10_000,
  idCharactersMax: 256,
  textCharactersMax: 16_384,
  refCharactersMax: 2_048,

  /** Answers: depth of edges walked, nodes returned, and what may be asked for. */
  depthDefault: 100,
  depthMax: 1_000,
  nodesDefault: 2_000,
  nodesMax: 20_000,
  /** Reads and writes looked at for one step of a walk. */
  usesMax: 100_000,
  /** A node with more edges than this in the direction walked is counted, not expanded. */
  hubEdgesMax: 1_000,
  /** Candidates shown when a short ref is ambiguous. */
  candidatesMax: 20,

  /** Searches over at most so many runs are answered on the server's thread: a few ms at most. */
  searchedInlineMax: 2_000,
  /** Threads that search, no more than cores. Two: a short search need not wait for a long one. */
  searchThreadsMax: 2,
  /** Searches that wait for a thread. Beyond it the server answers `overloaded` instead of growing. */
  searchesWaitingMax: 1_000,

  /** In-memory names and ids of the writer; the oldest are dropped first. */
  cacheEntriesMax: 200_000,
  /** Prepared statements of one connection. */
  statementsMax: 500,
  /** Wait for another process to release the database, for example a backup. */
  busyTimeoutMs: 10_000,
  /** Graceful shutdown waits this long for requests under way. */
  shutdownTimeoutMs: 10_000,
  /** Signals closer together than this are one: a terminal signals a whole group. */
  signalsApartMs: 1_000,
  /** How long the end of the process waits for the second of two signals sent together. */
  signalsSettleMs: 150,
  /** Turns of the event loop that the writer waits for more messages, as long as each brings some. */
  gatherTurnsMax: 8,
  /** Write-ahead log: SQLite folds it back at this many pages of 4 KiB. */
  walPagesMax: 2_000,
  /** Messages of one page that rebuild and verify read at a time. */
  replayEntriesMax: 500,
} as const;
