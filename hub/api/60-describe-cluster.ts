/**
 * @module api/60-describe-cluster — the cluster's brokers. Versions 0–2 (KIP-700).
 *
 * 1: endpoint type, brokers or controllers (KIP-919). 2: fenced brokers too (KIP-1073).
 */
import type { MetadataImage } from '../cluster/index.ts'
import { DescribeCluster, ErrorCode, type RequestOf } from '../wire/index.ts'
import { authorizedOperations, type Broker, defineHandler } from './handler.ts'

const ENDPOINT_TYPE_BROKER = 1
const ENDPOINT_TYPE_CONTROLLER = 2

type Request = RequestOf<typeof DescribeCluster>

export const describeCluster = defineHandler({
  api: DescribeCluster,
  overlaps: false,
  create: (broker) => (request, context) =>
    request.endpointType === ENDPOINT_TYPE_BROKER
      ? describe(broker, request, context.connection.listenerName)
      : refuse(request.endpointType),
})

function describe(broker: Broker, request: Request, listenerName: string) {
  const image = broker.controller.image
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    endpointType: ENDPOINT_TYPE_BROKER,
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    brokers: brokers(image, request, listenerName),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? authorizedOperations.cluster : authorizedOperations.notAsked,
  }
}

function brokers(image: MetadataImage, { includeFencedBrokers }: Request, listenerName: string) {
  const described = []
  for (const { brokerId, fenced, rack, endpoints } of image.brokers.values()) {
    const endpoint = endpoints.find(({ name }) => name === listenerName)
    if (endpoint === undefined || (fenced && !includeFencedBrokers)) continue
    described.push({ brokerId, host: endpoint.host, port: endpoint.port, rack, isFenced: fenced })
  }
  return described
}

function refuse(endpointType: number) {
  const mismatch = endpointType === ENDPOINT_TYPE_CONTROLLER
  return {
    throttleTimeMs: 0,
    errorCode: mismatch ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
    errorMessage: mismatch
      ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
      : `Unsupported endpoint type ${endpointType}`,
    endpointType: ENDPOINT_TYPE_BROKER,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: authorizedOperations.notAsked,
  }
}
