#pragma once

#include <rotary/control/source.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>

namespace rotary::kubernetes {

// The objects of a cluster in place of files of resources, where rotary.yaml says `kubernetes`,
// `first` being what it said at the start. The API server is watched from here on; until the first
// LIST of every kind is in, nothing is served and the source is not ready. An API server that is
// away, or refuses, takes nothing away of what is in force. Throws std::runtime_error with a
// sentence for the operator where it is not known how to reach one.
std::unique_ptr<control::Source> open_source(boost::asio::io_context& control, Logger& log,
                                             control::SourceOptions options,
                                             const config::Loaded& first);

}  // namespace rotary::kubernetes
