# Run by an install: the manual page and the shells' completion, as `rotary` prints them, into the
# folder `printed`.

file(MAKE_DIRECTORY ${printed})
foreach(kind bash zsh fish man)
  if(kind STREQUAL "man")
    set(file ${printed}/rotary.1)
  else()
    set(file ${printed}/rotary.${kind})
  endif()
  execute_process(COMMAND ${rotary} completion ${kind} OUTPUT_FILE ${file}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(file rotary.1 changelog changelog.Debian)
  execute_process(COMMAND gzip -9nc ${printed}/${file} OUTPUT_FILE ${printed}/${file}.gz
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
