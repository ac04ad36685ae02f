/**
 * NotYet: what MongooseIM's configuration knows and ours does not, yet.
 *
 * Someone who brings a file from there deserves a better answer than "not known". An option that is
 * supported from now on is in the schema and leaves this list.
 */
const sections: Readonly<Record<string, string>> = {
  "": "s2s services instrumentation host_config internal_databases",
  general: `host_types default_server_domain language registration_timeout hide_service_name sm_backend
    s2s_backend component_backend route_subdomains replaced_wait_timeout routing_modules
    http_server_name max_fsm_queue domain_certfile`,
  listen: "s2s component service",
  "listen.c2s": `backlog proxy_protocol num_acceptors max_connections proto ip_version
    hibernate_after reuse_port backwards_compatible_session allowed_auth_methods`,
  "listen.c2s.tls": `verify_mode dhfile ciphers password disconnect_on_failure keep_secrets versions
    crl_files early_data session_tickets`,
  "listen.http": "transport protocol proto ip_version hibernate_after",
  "listen.http.tls": "verify_mode dhfile ciphers password versions",
  "listen.http.handlers": `mongoose_bosh_handler mongoose_graphql_handler mongoose_admin_api_handler
    mongoose_client_api`,
  "listen.http.handlers.mongoose_websocket_handler": `timeout ping_rate
    backwards_compatible_session`,
  auth: `internal external anonymous ldap jwt http pki dummy sasl_external max_users_per_domain
    sasl_external_common_name`,
  "auth.password": "hash",
  outgoing_pools: "cassandra redis http elastic rabbit ldap",
  "outgoing_pools.rdbms.default": "strategy call_timeout",
  "outgoing_pools.rdbms.default.connection": "keepalive_interval max_start_interval tls settings",
  "acl.*": "user_regexp server_regexp resource_regexp user_glob server_glob resource_glob",
  access: "local muc muc_admin muc_create register announce mam_get_prefs mam_set_prefs",
  modules: `mod_adhoc mod_amp mod_auth_token mod_bind2 mod_blocking mod_bosh mod_cache_users mod_caps
    mod_carboncopy mod_csi mod_domain_isolation mod_event_pusher mod_extdisco mod_fast_auth_token
    mod_global_distrib mod_http_upload mod_inbox mod_jingle_sip mod_keystore mod_mam mod_muc
    mod_muc_light mod_muc_log mod_offline mod_offline_chatmarkers mod_offline_stub mod_presence
    mod_privacy mod_private mod_pubsub mod_push_service_mongoosepush mod_roster mod_sasl2
    mod_shared_roster_ldap mod_sic mod_smart_markers mod_stream_management mod_token_mechanism
    mod_vcard`,
  "modules.mod_disco": "iqdisc extra_domains server_info users_can_see_hidden_services",
  "modules.mod_last": "iqdisc backend",
  "modules.mod_ping": "iqdisc send_pings ping_interval timeout_action ping_req_timeout",
  "modules.mod_register": `iqdisc access welcome_message registration_watchers password_strength`,
  "modules.mod_time": "iqdisc",
  "modules.mod_version": "iqdisc os_info",
};

/** Names by the section in which they stand; "" is the file itself. */
export const notYet: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(sections).map(([section, list]) => [section, list.split(/\s+/)]),
);

const names = new Set(
  [...notYet].flatMap(([section, list]) =>
    list.map((name) => (section === "" ? name : `${section}.${name}`)),
  ),
);

/** `names` is a path without array indices. */
export function isNotYet(path: readonly string[]): boolean {
  const known = path[0] === "acl" ? ["acl", "*", ...path.slice(2)] : path;
  return names.has(known.join("."));
}
