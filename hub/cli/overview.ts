/** @module cli/overview — what `millrace --help` prints: every command with one line. */

/** Groups of commands; the client commands are those of {@link commands}. */
const GROUPS: readonly (readonly [title: string, commands: readonly (readonly [usage: string, text: string])[]])[] = [
  [
    'Run',
    [
      ['start [FILE] [--override key=value]…', 'Start a hub, by default on 127.0.0.1:9092.'],
      ['demo [--once]', 'Watch changes flow from PostgreSQL into S3.'],
    ],
  ],
  [
    'Topics and records',
    [
      ['topics', 'List, create, alter, describe and delete topics.'],
      ['console-producer', 'Send lines of stdin as records.'],
      ['console-consumer', 'Print records.'],
      ['get-offsets', 'Print offsets of partitions, by place or by time.'],
      ['delete-records', 'Delete records before an offset.'],
    ],
  ],
  [
    'Cluster',
    [
      ['configs', 'Show and change settings of topics, brokers and groups.'],
      ['broker-api-versions', 'Print which APIs each broker speaks, in which versions.'],
      ['log-dirs', 'Print what the data directories hold, as JSON.'],
      ['cluster', 'Print the cluster id and where its brokers are.'],
    ],
  ],
  [
    'Connectors',
    [
      ['connector list', 'List connectors with their states.'],
      ['connector create FILE', 'Create a connector from JSON, properties or YAML.'],
      ['connector status NAME', 'Show what a connector and its tasks do, and what failed.'],
      ['connector pause|resume|stop NAME', 'Halt a connector for a while, or for long.'],
      ['connector restart NAME', 'Start a connector anew, with its tasks if asked.'],
      ['connector offsets NAME', 'Show how far a connector has come.'],
      ['connector delete NAME', 'Delete a connector.'],
      ['plugin list', 'List the connectors that can be created.'],
    ],
  ],
  ['Groups', [['consumer-groups', 'List, describe, reset and delete groups and offsets.']]],
]

/** Column at which the texts begin. */
const TEXT_COLUMN = 42

/** The overview, ending with a line end. */
export function overviewText(): string {
  const lines = ['Usage: millrace COMMAND [OPTION]…', '']
  for (const [title, list] of GROUPS) {
    lines.push(`${title}:`)
    for (const [usage, text] of list) lines.push(`  ${usage.padEnd(TEXT_COLUMN - 2)}${text}`)
    lines.push('')
  }
  lines.push(
    'millrace COMMAND --help lists the options of a command; those of topics, groups and records equal',
    "Kafka's scripts: kafka-NAME.sh is millrace NAME. millrace --version prints the version.",
    '',
    'Try it:',
    '  millrace start &',
    '  millrace topics --bootstrap-server 127.0.0.1:9092 --create --topic greetings',
    '  echo hello | millrace console-producer --bootstrap-server 127.0.0.1:9092 --topic greetings',
    '  millrace console-consumer --bootstrap-server 127.0.0.1:9092 --topic greetings --from-beginning',
    '',
  )
  return lines.join('\n')
}
