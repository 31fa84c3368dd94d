import { flockOn } from "./Flock.ts";
import NamedToken from "./NamedToken.ts";

/** On the token that the network names: parameter `address` of module `NamedToken`. */
export default flockOn(NamedToken);
