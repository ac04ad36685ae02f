/** Metrics of a node: plain cells, made once, added to where things happen. */
import type { Counter } from "../ports/metrics.ts";

function cell(
  kind: Counter["kind"],
  name: string,
  help: string,
  labels: Readonly<Record<string, string>> = {},
): Counter {
  return { kind, name, help, labels, value: 0 };
}

/** One that is looked up when somebody reads it. */
export function lookedUp(
  kind: Counter["kind"],
  name: string,
  help: string,
  look: () => number,
): Counter {
  return {
    ...{ kind, name, help, labels: {} },
    get value(): number {
      return look();
    },
  };
}

export class NodeMetrics {
  readonly connections = cell("gauge", "meerkat_connections", "Open client connections.");
  readonly sessions = cell("gauge", "meerkat_sessions", "Bound sessions.");
  readonly opened = cell("counter", "meerkat_connections_opened_total", "Connections accepted.");
  readonly logins = cell("counter", "meerkat_logins_total", "Authentications.", {
    result: "success",
  });
  readonly failedLogins = cell("counter", "meerkat_logins_total", "Authentications.", {
    result: "failure",
  });
  readonly limitedLogins = cell(
    "counter",
    "meerkat_logins_limited_total",
    "Authentications without a verdict, since their address failed too often.",
  );
  readonly received = cell(
    "counter",
    "meerkat_stanzas_received_total",
    "Stanzas received from bound clients.",
  );
  readonly delivered = cell(
    "counter",
    "meerkat_stanzas_delivered_total",
    "Stanzas written or queued for clients.",
  );
  readonly bounced = cell(
    "counter",
    "meerkat_stanzas_bounced_total",
    "Stanzas handed back because their client had gone.",
  );
  readonly forwarded = cell(
    "counter",
    "meerkat_stanzas_forwarded_total",
    "Stanzas sent on to the node of their recipient.",
  );
  readonly returned = cell(
    "counter",
    "meerkat_stanzas_returned_total",
    "Stanzas looked up again since the node they were sent to has gone.",
  );
  readonly lostAnswers = cell(
    "counter",
    "meerkat_answers_lost_total",
    "Answers given up since the node of who had asked stayed out of reach.",
  );
  readonly peers = cell("gauge", "meerkat_cluster_peers", "Nodes that this one is linked with.");
  readonly duplicates = cell(
    "counter",
    "meerkat_stanzas_duplicate_total",
    "Stanzas dropped since their session had them already.",
  );
  readonly refusedFrames = cell(
    "counter",
    "meerkat_cluster_frames_refused_total",
    "Frames of other nodes that could not be read.",
  );
  readonly refusedNodes = cell(
    "counter",
    "meerkat_cluster_handshakes_refused_total",
    "Connections to the cluster's port that were refused or broke its protocol.",
  );
  readonly unsettled = cell(
    "counter",
    "meerkat_bind_waits_expired_total",
    "Logins that were told they are bound before every live node had said that it sees them.",
  );
  readonly conflicts = cell(
    "counter",
    "meerkat_session_conflicts_lost_total",
    "Sessions ended since another node has a later one of the same full JID.",
  );
  readonly databaseFailures = cell(
    "counter",
    "meerkat_database_failures_total",
    "Pieces of work that failed because the database did.",
  );
  readonly faults = cell("counter", "meerkat_faults_total", "Bugs contained to one stream.");

  all(): readonly Counter[] {
    return [
      this.connections,
      this.sessions,
      this.opened,
      this.logins,
      this.failedLogins,
      this.limitedLogins,
      this.received,
      this.delivered,
      this.bounced,
      this.forwarded,
      this.returned,
      this.lostAnswers,
      this.peers,
      this.duplicates,
      this.refusedFrames,
      this.refusedNodes,
      this.unsettled,
      this.conflicts,
      this.databaseFailures,
      this.faults,
    ];
  }
}
