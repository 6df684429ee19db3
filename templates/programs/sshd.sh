#!/bin/sh
# `sshd` in the containers of a job: says that the machine is ready for what `ssh` starts there, and stays if it is to.
: >PLACE/ready
for a; do
    case $a in -[!opfhEuCcg]*D* | -D*)
        trap exit TERM INT
        while :; do
            sleep 86400 &
            wait
        done
        ;;
    esac
done
