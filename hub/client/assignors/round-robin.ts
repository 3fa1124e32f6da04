/** @module client/assignors/round-robin — all partitions of all topics in turn to the members that want them (RoundRobinAssignor). */
import { type Assignor, compareMembers, compareText, emptyAssignment } from './types.ts'

/** Goes round the members; one that is not subscribed to the topic at hand is passed over. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  cooperative: false,
  userData: () => null,
  assign: (topics, members) => {
    const assignment = emptyAssignment(members)
    const circle = [...members].sort(compareMembers)
    const wanted = new Set(members.flatMap((member) => member.topics))
    let turn = 0
    for (const topic of [...wanted].sort(compareText)) {
      const partitionCount = topics.get(topic)?.partitionCount ?? 0
      for (let partition = 0; partition < partitionCount; partition++) {
        // Ends: somebody wants the topic, or it would not be in `wanted`.
        while (!circle[turn % circle.length]?.topics.includes(topic)) turn++
        const taker = circle[turn++ % circle.length]
        if (taker !== undefined) assignment.get(taker.memberId)?.push({ topic, partition })
      }
    }
    return assignment
  },
}
