// Package incident is what people say about the services: incidents, maintenance and notices, as events that are only
// ever added, and the state that follows from them. The state is a pure fold: the same events in any order, doubled, or
// split over any number of servers give the same state, byte for byte. Nothing here reads the clock; what depends
// on it, such as whether a maintenance goes on, is a function of the state and an instant.
package incident
