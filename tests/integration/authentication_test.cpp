#include <support/gateway.hpp>
