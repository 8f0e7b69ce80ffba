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
  /** Records of an evaluation dataset on one page; the client asks for 1,000. */
  evaluationRecordsPageMax: 10_000,
  /** Fields of an evaluation dataset that become columns in the graph. */
  evaluationFieldsMax: 1_000,
  /** Sources of the records of one message that become edges; more are counted at the version. */
  evaluationSourcesMax: 10_000,
  /** Prompts that one tag may link. */
  linkedPromptsMax: 1_000,
  /** Models that one tag of a run may say were evaluated, and data of one name: each is looked up. */
  evaluatedModelsMax: 100,
  /** One artifact uploaded through the proxy; it is streamed to disk, never held in memory. */
  artifactBytesMax: 64 * 1024 * 1024 * 1024,
  /** One request of an import: a dataset's profile may have 16 MiB, and a run several. */
  importBodyBytesMax: 128 * 1024 * 1024,
  /** An import sends no further messages in a request that has reached this many bytes … */
  importRequestBytesMax: 4 * 1024 * 1024,
  /** … or this many messages: bounds what one commit holds, and what a broken-off import repeats. */
  importRequestMessagesMax: 500,
  /** Points of metrics in one message of an import. */
  importPointsPerMessageMax: 5_000,
  /** What was left out of an import is shown by so many examples. */
  importExamplesMax: 3,
  /** Points of metrics of one request of an import. */
  importPointsPerRequestMax: 40_000,
  /** Spans in one message of an import: exporters send as many. */
  importSpansPerMessageMax: 512,
  /** Files, and histories of metrics, that an import fetches at the same time. */
  importFetchesMax: 6,
  /** Times that an import asks again when another server does not answer. */
  importRetriesMax: 5,
  /** One part of a multipart upload, as S3 has it. */
  uploadPartBytesMax: 5 * 1024 * 1024 * 1024,
  /** Parts of one upload, as S3 has it: each has a URL in the answer that begins it. */
  uploadPartsMax: 10_000,
  /** Multipart uploads under way; their parts take room on the disk. */
  uploadsMax: 1_000,
  /** An upload that hears nothing for this long was given up. */
  uploadIdleMsMax: 24 * 60 * 60 * 1_000,
  /** A completed upload is remembered for a client that did not hear the answer and asks again. */
  uploadDoneMsMax: 15 * 60 * 1_000,
  /** A part must begin within this time of the upload: the client sends its parts one after another. */
  uploadPartSeconds: 24 * 60 * 60,
  /**
   * A blob that nothing names is kept this long after it came: an upload whose entry is still to come
   * is sent again by then, and no link lasts longer (`linkSecondsMax`).
   */
  unnamedBlobMsMin: 7 * 24 * 60 * 60 * 1_000,
  /** Blobs that are being removed at the same time: a bucket answers each after some 20 ms. */
  blobRemovalsMax: 16,
  /** Links to artifacts: MLflow's own times, and the longest that S3 signs. In seconds. */
  downloadLinkSeconds: 300,
  uploadLinkSeconds: 900,
  linkSecondsMax: 604_800,
  /** Files that MLflow's pages upload. Source: mlflow/server/handlers.py (upload_artifact_handler). */
  pageUploadBytesMax: 10 * 1024 * 1024,
  /** MLmodel, conda.yaml and requirements.txt are read into the payload up to this size. */
  modelFileBytesMax: 1024 * 1024,
  /** Files that one dataset of Hugging Face is known to be put together from: each is a read. */
  datasetFilesMax: 100,

  /** OTLP bodies: a batch of 512 spans with prompts and answers. Inflated size counts. */
  otlpBodyBytesMax: 16 * 1024 * 1024,
  /** Spans of one OTLP request; exporters send 512 at a time. */
  otlpSpansPerRequestMax: 10_000,
  /** Nesting of values in attributes. */
  otlpValueDepthMax: 32,
  /** Documents of one trace that become nodes of the graph; more stay in the payload only, and say so. */
  documentsPerTraceMax: 200,
  /** Conditions and orders of one search of traces: bounds the SQL that is made of them. */
  traceClausesMax: 50,
  /** Groups of one answer about numbers of traces: months by the minute, for some models. */
  traceMetricGroupsMax: 100_000,
  /** Spans whose content one search reads, or values that a pattern is tried on. */
  searchedSpansMax: 100_000,
  /** Contents read at a time while many are searched: bounds memory, and the time that others wait. */
  searchedSpansAtOnce: 1_000,
  /** A caller's regular expression, and the time that it may take. */
  patternCharactersMax: 500,
  patternTimeoutMs: 500,
  /** Steps of a trace that answers show; the others are counted. */
  shownStepsMax: 200,
  /** Traces that one message deletes; asked for more, the oldest go. */
  tracesPerDeleteMax: 20_000,
  /** Traces whose spans are sent in one answer. */
  tracesPerAnswerMax: 500,
  /** How often, and how far apart, a trace is looked at whose last spans have not come yet. */
  traceWaits: 6,
  traceWaitMs: 500,

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
  /** Statements shown at one node of an answer: all of them are listed on their own. */
  statementsPerNodeMax: 100,
  /** Reads and writes looked at for one step of a walk. */
  usesMax: 100_000,
  /** Nodes, runs and versions that answers remember: some 60 MB at most. */
  rememberedRowsMax: 100_000,
  /** Nodes touched by the newest entries that are known, for what answers remember of the others. */
  rememberedChangesMax: 4_000,
  /** Predictions of the graph that one trace goes on through: each is looked up by itself. */
  predictionsJoinedMax: 1_000,
  /** A node with more edges than this in the direction walked is counted, not expanded. */
  hubEdgesMax: 1_000,
  /** Deployments read to tell which one a name means: years of hourly ones. */
  deploymentsPerNameMax: 100_000,
  /** Candidates shown when a short ref is ambiguous. */
  candidatesMax: 20,

  /** Searches over at most so many rows are answered on the server's thread: a few ms at most. */
  searchedInlineMax: 2_000,
  /** Metric histories over at most so many points likewise: each costs some 3 µs. */
  pointsReadInlineMax: 10_000,
  /** Rows of an answer that are read at a time, some ms: others are served in between. */
  rowsReadAtOnce: 100,
  /** Items of an answer that become text at a time, a few ms: others are served in between. */
  itemsWrittenAtOnce: 500,
  /** Names looked at for those of one kind: 5 ms at most. */
  namesOfOtherKindsMax: 5_000,
  /** Names looked at in turn for the end of a path: a few ms, and others are served in between. */
  namesReadAtOnce: 10_000,
  /** Threads that search, no more than cores. Two: a short search need not wait for a long one. */
  searchThreadsMax: 2,
  /** Searches that wait for a thread. Beyond it the server answers `overloaded` instead of growing. */
  searchesWaitingMax: 1_000,

  /** Webhooks of one workspace: each may cost a row in the transaction of an event. */
  webhooksPerWorkspaceMax: 100,
  /** Calls that one webhook may owe; further events are counted, not queued: a dead receiver must not fill the store. */
  webhookQueueMax: 10_000,
  /** Calls under way at the same time, as many as MLflow's pool; and of one webhook, so that a slow receiver leaves room. */
  webhookCallsMax: 10,
  webhookCallsOfOneMax: 2,
  /** One attempt, from resolving the name to the end of the answer; as MLflow waits. */
  webhookTimeoutMs: 30_000,
  /** Resolving a receiver's name, and how many at a time: the resolver shares its threads with the file system. */
  webhookResolveTimeoutMs: 5_000,
  webhookResolvesMax: 2,
  /** Attempts after the first, the wait before the first of them, which then doubles, its jitter, and the longest wait; as MLflow's. */
  webhookRetriesMax: 3,
  webhookBackoffMs: 1_000,
  webhookJitterMs: 1_000,
  webhookBackoffMaxMs: 60_000,
  /** Kept of a receiver's answer, for the test of a webhook. */
  webhookAnswerBytesMax: 64 * 1024,
  /** A look for calls that are owed comes this long after a commit, so that many commits share one. */
  webhookWakeMs: 5,
  /** Results that end within this time share a message to the door. */
  webhookSettleMs: 20,
  /** At shutdown, calls under way may end within this time; then they are cut, and made again after the start. */
  webhookShutdownMs: 2_000,
  /** Secret and URL of a webhook, in characters: columns of 1,000 and 500 in MLflow. */
  webhookSecretCharactersMax: 1_000,
  webhookUrlCharactersMax: 2_048,

  /** In-memory names and ids of the writer; the oldest are dropped first. */
  cacheEntriesMax: 200_000,
  /** Prepared statements of one connection. */
  statementsMax: 500,
  /** Wait for another process to release the database, for example a backup. */
  busyTimeoutMs: 10_000,
  /** While writes fail, what they go to is tried this often, by a file of this size, for this long. */
  healthProbeMs: 5_000,
  healthProbeBytes: 1024 * 1024,
  healthProbeTimeoutMs: 10_000,
  /** A line about failing writes comes at most this often. */
  healthToldMs: 60_000,
  /** Graceful shutdown waits this long for requests under way. */
  shutdownTimeoutMs: 10_000,
  /** Signals closer together than this are one: a terminal signals a whole group. */
  signalsApartMs: 1_000,
  /** How long the end of the process waits for the second of two signals sent together. */
  signalsSettleMs: 150,
  /** Turns of the event loop that the writer waits for more messages, as long as each brings some. */
  gatherTurnsMax: 8,
  /** Write-ahead log: SQLite folds it back at this many pages of 4 KiB. */
  walPagesMax: 8_000,
  /** Entries that one answer about the past reads whole, to find the metrics of then: some 100 ms. */
  recordedEntriesMax: 1_000,
  /** Points of a run beyond which its metrics of the past are not looked for: some 100 ms. */
  pastPointsMax: 100_000,
  /** Messages of one page that rebuild and verify read at a time. */
  replayEntriesMax: 500,
  /** Lines of what SQLite finds wrong with a damaged file: the first ones say where it begins. */
  damageLinesMax: 20,
  /** Damaged or missing artifacts that verify names: a store that lost its files lists them all. */
  blobProblemsMax: 1_000,
  /** A store that doctor reads through, which takes some seconds; rebuild reads those beyond it. */
  doctorStoreBytesMax: 2 * 1024 * 1024 * 1024,
} as const;
