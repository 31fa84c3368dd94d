import { leaseDevice } from "../../workers/compute/lease.ts";

/** A process that takes one of the devices on its command line, says which on its standard output, and keeps it. */
const lease = await leaseDevice(process.argv.slice(2));
console.log(lease.name);
setInterval(() => {}, 1000);
