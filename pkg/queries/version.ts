/** The version that a saved query carries. A later model migrates from it. */
export const QUERY_VERSION = 1;
