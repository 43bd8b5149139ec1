"""./deploy/stop: end the stack under var/, gateway first."""
import settings
from stack import Stack


def main():
    if not (settings.CHECKOUT / "var/run").exists():
        print("nothing runs under var/")
        return
    stack = Stack(settings.CHECKOUT / "var", settings.CHECKOUT / "build/gateway/shimin", settings.configured_ports())
    stopped = stack.close()
    print("stopped: " + ", ".join(stopped) if stopped else "nothing runs under var/")


if __name__ == "__main__":
    main()
