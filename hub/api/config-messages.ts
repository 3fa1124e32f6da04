/** @module api/config-messages — what the handlers of settings (32, 33, 44) say alike. */

/** For the settings of KIP-714, which this broker does not collect for. */
export const CLIENT_METRICS_MESSAGE = 'Unknown resource type CLIENT_METRICS'
