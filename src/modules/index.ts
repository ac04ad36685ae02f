/** Modules: every feature of the server, one line each. The order means nothing. */
export { serviceDiscovery } from "./service-discovery.ts";
export { ping } from "./ping.ts";
export { softwareVersion } from "./software-version.ts";
export { entityTime } from "./entity-time.ts";
export { inBandRegistration } from "./in-band-registration.ts";
export { lastActivity } from "./last-activity.ts";
export { legacySession } from "./legacy-session.ts";
export { connectionMethods } from "./connection-methods.ts";
export { health } from "./health.ts";
export { clusterStatus } from "./cluster-status.ts";
