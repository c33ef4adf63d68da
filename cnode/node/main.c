/*
 * minotaur-node: a C node that hosts Minotaur's game sessions in a BEAM cluster.
 *
 * The game is all that it adds; whatever fails is told by cn_node_main.
 */
#include <cnode/node.h>

int main(int argc, char **argv)
{
    static const struct cn_application application = {
        .name = "minotaur-node",
        .game = &cn_minotaur_game,
    };

    return cn_node_main(&application, argc, argv);
}
